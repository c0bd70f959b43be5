"""What every training program does, whatever it trains."""
