"""Names of the demo city in Chinese and English. All are made of common words; none is taken from a
real city."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CITY_ZH: Final = "示例城市"
CITY_EN: Final = "Demo City"


@dataclass(frozen=True, slots=True)
class Name:
    zh: str
    en: str


RIVER: Final = Name("示例河", "Demo River")
LAKE: Final = Name("示例湖", "Demo Lake")
BAY: Final = Name("示例湾", "Demo Bay")
ISLAND: Final = Name("示例岛", "Demo Island")

RADIALS: Final = (
    Name("东海大道", "Donghai Avenue"),
    Name("泉山路", "Quanshan Road"),
    Name("中山北路", "Zhongshan North Road"),
    Name("文化路", "Wenhua Road"),
    Name("西湖大道", "Xihu Avenue"),
    Name("解放路", "Jiefang Road"),
    Name("江南大道", "Jiangnan Avenue"),
    Name("港口大道", "Gangkou Avenue"),
)
WALL_ROAD: Final = Name("环城路", "Huancheng Road")
SECOND_RING: Final = Name("二环路", "Second Ring Road")
OUTER_RING: Final = Name("外环快速路", "Outer Ring Expressway")
FRONTAGE: Final = Name("外环辅路", "Outer Ring Frontage Road")
COAST_ROAD: Final = Name("滨海大道", "Binhai Avenue")
NORTH_BANK: Final = Name("滨江北路", "Binjiang North Road")
SOUTH_BANK: Final = Name("滨江南路", "Binjiang South Road")
MOTORWAY: Final = Name("示例高速", "Demo Motorway")
RAILWAY: Final = Name("示例铁路", "Demo Railway")
GREENWAY: Final = Name("滨江绿道", "Riverside Greenway")
ISLAND_ROAD: Final = Name("环岛路", "Island Loop Road")
FERRY: Final = Name("示例轮渡", "Demo Ferry")
HILL_ROAD: Final = Name("望海盘山路", "Wanghai Hill Road")

MAIN_STREETS: Final = (
    ("人民", "Renmin"), ("建设", "Jianshe"), ("和平", "Heping"), ("胜利", "Shengli"), ("光明", "Guangming"),
    ("新华", "Xinhua"), ("科技", "Keji"), ("创业", "Chuangye"), ("学府", "Xuefu"), ("友谊", "Youyi"),
    ("湖滨", "Hubin"), ("体育", "Tiyu"), ("迎宾", "Yingbin"), ("团结", "Tuanjie"), ("朝阳", "Chaoyang"),
    ("青年", "Qingnian"), ("前进", "Qianjin"), ("工业", "Gongye"), ("花园", "Huayuan"), ("东风", "Dongfeng"),
    ("五一", "Wuyi"), ("华侨", "Huaqiao"), ("南洋", "Nanyang"), ("刺桐", "Citong"), ("温陵", "Wenling"),
    ("丰泽", "Fengze"), ("宝洲", "Baozhou"), ("云鹿", "Yunlu"), ("通港", "Tonggang"), ("世纪", "Shiji"),
)  # fmt: skip
_FIRST: Final = (
    ("金", "Jin"), ("银", "Yin"), ("玉", "Yu"), ("翠", "Cui"), ("春", "Chun"), ("秋", "Qiu"), ("宝", "Bao"),
    ("福", "Fu"), ("德", "De"), ("仁", "Ren"), ("义", "Yi"), ("信", "Xin"), ("兴", "Xing"), ("隆", "Long"),
    ("盛", "Sheng"), ("泰", "Tai"), ("康", "Kang"), ("永", "Yong"), ("宁", "Ning"), ("嘉", "Jia"),
    ("祥", "Xiang"), ("瑞", "Rui"), ("庆", "Qing"), ("锦", "Jin"), ("凤", "Feng"), ("龙", "Long"),
    ("石", "Shi"), ("清", "Qing"), ("云", "Yun"), ("万", "Wan"), ("长", "Chang"), ("广", "Guang"),
    ("明", "Ming"), ("美", "Mei"), ("新", "Xin"), ("古", "Gu"),
)  # fmt: skip
_SECOND: Final = (
    ("山", "shan"), ("海", "hai"), ("湖", "hu"), ("江", "jiang"), ("溪", "xi"), ("林", "lin"), ("园", "yuan"),
    ("田", "tian"), ("桥", "qiao"), ("门", "men"), ("塘", "tang"), ("岭", "ling"), ("湾", "wan"),
    ("洲", "zhou"), ("坊", "fang"), ("亭", "ting"), ("榕", "rong"), ("莲", "lian"), ("桂", "gui"),
    ("泉", "quan"), ("峰", "feng"), ("港", "gang"), ("台", "tai"), ("浦", "pu"),
)  # fmt: skip
_COMPOUND_KINDS: Final = (
    ("花园", "Garden"), ("小区", "Residential Quarter"), ("家园", "Homes"), ("公寓", "Apartments"),
    ("新村", "New Village"), ("华庭", "Court"),
)  # fmt: skip
_DIGITS: Final = "零一二三四五六七八九十"


def place_names(rnd: random.Random) -> Iterator[Name]:
    """Two-character names, each Chinese one once, in an order that `rnd` decides; numbered when they
    run out."""
    pairs = [(a, b) for a in _FIRST for b in _SECOND]
    rnd.shuffle(pairs)
    for a, b in pairs:
        yield Name(a[0] + b[0], a[1] + b[1])
    for a, b in pairs:
        if a[0] != "新":
            yield Name("新" + a[0] + b[0], "New " + a[1] + b[1])


def street(base: Name, *, small: bool = False) -> Name:
    return Name(base.zh + "街", base.en + " Street") if small else Name(base.zh + "路", base.en + " Road")


def lane(base: Name, number: int) -> Name:
    """The numbered lanes of a block: 福海一巷, Fuhai 1st Lane."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number if number < 20 else number % 10, "th")
    return Name(f"{base.zh}{numeral(number)}巷", f"{base.en} {number}{ending} Lane")


def compound(base: Name, rnd: random.Random) -> Name:
    kind = rnd.choice(_COMPOUND_KINDS)
    return Name(base.zh + kind[0], f"{base.en} {kind[1]}")


def numeral(number: int) -> str:
    """1–99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
