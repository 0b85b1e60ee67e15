"""How Commonweal looks: design system, base pages, and the URLs that the registry gives."""
