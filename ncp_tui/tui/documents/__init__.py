"""What the panels and boxes say, as lines of inert text with a tone: pure functions, without any UI import."""
