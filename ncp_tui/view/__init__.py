"""How each object reads, once for both faces: pure, without Textual, rich and click."""
