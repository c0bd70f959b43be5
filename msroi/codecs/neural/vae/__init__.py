"""The variational autoencoder: one network for all rates, steered by gamma, which may vary over the picture."""
