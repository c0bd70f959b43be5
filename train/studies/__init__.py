"""What measures: do maps agree with people, what do they buy, how fast is the encoder, how does it look?"""
