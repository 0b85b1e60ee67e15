"""A router for people who cannot pass everything: OpenStreetMap in, step-free routes with their evidence out.

    from commonweal.services.access.graph.build import build
    from commonweal.services.access.graph.router import Router

    build("city.osm.pbf", "city.graph")
    answer = Router.open("city.graph").route(profile, start=(59.913, 10.752), goal=(59.916, 10.760))

Needs numpy, numba and osmium (the extra `access`), and nothing else of Commonweal but its errors and texts.
"""
