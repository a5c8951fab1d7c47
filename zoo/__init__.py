"""How each shipped bundle was trained: recipe and script, data named with licence."""
