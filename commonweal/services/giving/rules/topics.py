"""What campaigns are about: the words by which people filter."""

from commonweal.kernel.text import Text

TITLES: dict[str, Text] = {
    "education": Text("Schooling", "教育"),
    "health": Text("Health", "医疗健康"),
    "children": Text("Children", "儿童"),
    "elderly": Text("Old age", "养老助老"),
    "disability": Text("Disability", "助残"),
    "disaster": Text("Emergencies", "救灾"),
    "environment": Text("Environment", "环境保护"),
    "culture": Text("Culture", "文化"),
    "community": Text("Community", "社区"),
}
