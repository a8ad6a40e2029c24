"""Cells to frozen results: every number with its n, its 95 % interval and how far binning may have moved it.

Only numpy, scipy, scikit-learn and pandas: no file, no engine, no screen. Every public function is over the G groups
of the cells it is given and returns one value per group; roll cells up first to choose the grouping.
"""
