"""Ways to carry out the runs of a study: one module each, with an ``Executor`` that yields what is going on."""
