"""Planning with a model: what it is asked, in steps, how its answers are held to a shape, and what becomes of them."""
