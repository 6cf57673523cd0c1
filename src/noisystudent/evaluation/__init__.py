"""How good a classifier is. This version measures clean images; the robustness suites are to come."""
