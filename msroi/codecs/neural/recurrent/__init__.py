"""The recurrent codec of Wang, Han, Wang 2019, on Toderici et al. 2017."""
