"""What only PHYSLITE files have: the cut bookkeepers, which know what was generated."""
