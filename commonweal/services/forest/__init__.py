"""forest: low-carbon deeds become green energy, and green energy becomes trees that anyone can check."""

from commonweal.kernel.quantity import Asset
from commonweal.kernel.registry import FactKind, Link, Service
from commonweal.kernel.text import Text

GREEN = Asset("GREEN_G", 0, "nature", Text("green energy", "绿色能量"), "g")
"""Points: whole grams that a deed earns. They buy trees; they are no claim to carbon."""

REDUCTION = Asset("CO2E_G", 0, "nature", Text("quantified reduction", "核算减排量"), "g CO₂e")
"""What a published method says that a deed has saved, in whole grams of CO2 equivalent, rounded down."""

TREE = Asset("TREE", 0, "nature", Text("tree", "树"))

SERVICE = Service(
    name="forest",
    title=Text("Forest", "森林"),
    promise=Text(
        "Greener days become trees, and every tree can be checked by anyone.", "绿色的日子长成树，每一棵树人人可查。"
    ),
    drawing="seedling",
    hue=120,
    links=(
        Link("energy", Text("My energy", "我的能量"), 10),
        Link("deeds", Text("My deeds", "我的绿色行为"), 20),
        Link("trees", Text("My trees", "我的树"), 30),
        Link("map", Text("The public forest", "公众林"), 35),
        Link("plots", Text("Plots", "地块"), 40),
        Link("balance", Text("Every gram", "每一克"), 70),
        Link("effect", Text("Effect", "效果"), 75),
        Link("factors", Text("Reckoning", "算法"), 80),
        Link("front", Text("How it goes", "玩法说明"), 90),
    ),
    console=(
        Link("console", Text("Seasons and plots", "种植季与地块")),
        Link("partners", Text("Who reports deeds", "谁在上报行为")),
    ),
    assets=(GREEN, REDUCTION, TREE),
    account_kinds={
        "minted": Text("energy that deeds have earned", "行为产生的能量"),
        "bubbles": Text("energy waiting in bubbles", "气泡中的能量"),
        "held": Text("energy held by people and groves", "个人与合种林持有的能量"),
        "planted": Text("energy spent on trees", "用于种树的能量"),
        "expired": Text("energy that nobody gathered in time", "逾期未收取的能量"),
        "avoided": Text("emissions that deeds have avoided, by the published methods", "按公开方法核算的减排"),
        "counted": Text("quantified reduction by source of evidence", "按来源计的核算减排量"),
        "transit": Text("energy on its way from one person's book to another's", "在两本账之间转移的能量"),
    },
    fact_kinds=(
        FactKind("forest.deeds", Text("a day's deeds from one source", "某来源一天的行为")),
        FactKind("forest.factors", Text("a version of the factor table", "排放因子表的一个版本")),
        FactKind("forest.season", Text("a planting season opened or closed", "种植季的开放与结束")),
        FactKind("forest.plot", Text("a plot, its capacity and its funding", "地块及其容量与资金")),
        FactKind("forest.certificate", Text("a tree promised to somebody", "一份种树承诺")),
        FactKind("forest.planting", Text("trees set in the ground", "栽植记录")),
        FactKind("forest.capture", Text("a photograph and a position of a tree", "树的照片与位置")),
        FactKind("forest.seed", Text("the random seed of a survey, before the survey", "调查前公布的随机种子")),
        FactKind("forest.survey", Text("the counts of a survival survey", "成活率调查的计数")),
        FactKind("forest.clearing", Text("a clearing seen by satellite", "卫星发现的林地消失")),
        FactKind("forest.replanting", Text("the duty to replant", "补植义务")),
        FactKind("forest.expiry", Text("a day's energy that expired", "某日逾期的能量")),
        FactKind("forest.study", Text("a study was registered or concluded", "研究的登记或结论")),
        FactKind("forest.balance", Text("where all energy is", "全部能量的结存")),
    ),
    order=20,
)
