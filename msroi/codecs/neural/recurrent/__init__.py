"""The recurrent codec of Wang, Han, Wang 2019, on Toderici et al. 2017."""

VERSION = "1"
"""Changes whenever the bytes for a request change, but for another network's, which its hash tells."""
