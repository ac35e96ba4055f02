"""vLLM as a service: start it, find it, watch it, stop it; everything it says of itself is a file.

`client` is for those who need a server, `keeper` is the program that runs beside one.
"""
