"""How good each model is, and how sure that is: measures over the cells of a sweep."""
