"""The domain of the forest, pure: energy and its bubbles, evidence and what it is worth, trees and their numbers."""
