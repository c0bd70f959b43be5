"""The variational autoencoder: one network for all rates."""
