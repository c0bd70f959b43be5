"""rdo: one lattice, weighted rate-distortion optimisation (DESIGN 5.3).

    pixels --> Y, Cb, Cr --> chroma halved --> DCT --> Signal --+
    map, masking, what a first encode lost --> w_b --> Weighting --+--> Quantiser --> scans --> file
    setting --> tables T, lambda; prices of symbols --> OperatingPoint --+

Per block, the quantiser takes the values q with the least sum of w_b v_k (c - T q)^2 + lambda * bits. What comes
out is an ordinary JPEG: a decoder sees tables and coefficients, and nothing of the weights.

codec.py has the options, session.py what a search sees, guard.py what a map may cost the rest of the picture. Signal,
weighting and operating point are frozen values: a session with another one of them is another session.
"""
