"""Above-ground biomass and CO2 of a tree from its diameter, by published equations and only within their range."""

from commonweal.services.forest.biomass.allometry import Equation, Stored, carbon_dioxide, equations

__all__ = ["Equation", "Stored", "carbon_dioxide", "equations"]
