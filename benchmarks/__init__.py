"""Time and memory of the whole way from a file to numbers, against pandas with scikit-learn: `make bench`.

Nothing here is a test: numbers depend on the machine, and are printed beside what is expected of two idle cores.
"""
