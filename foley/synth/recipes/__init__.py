"""Sound recipes: modules with `RECIPES`, found by folder."""
