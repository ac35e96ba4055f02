"""measure: the signal strength and the cross-section, from a fit of the mass spectra."""
