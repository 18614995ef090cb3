"""What the product promises about speed and memory, measured; `make bench` runs every `bench_*.py`.

Each measures itself against something bare in the same run, so that the ratio says something on any machine.
"""
