"""Currencies in which grants are published: ISO 4217 codes with the decimal places that their written form has."""

from __future__ import annotations

from commonweal.kernel.quantity import CNY, Asset
from commonweal.kernel.text import Text

_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
        COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS
        INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
        NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SOS SRD SSP STN SVC
        SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW""",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
PLACES = {code: places for places, codes in _PLACES.items() for code in codes.split()}
SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "CNY": "¥", "JPY": "¥"}


def currency(code: str) -> Asset | None:
    """The asset of an ISO 4217 code; None for an unknown one."""
    if code == CNY.code:
        return CNY
    places = PLACES.get(code)
    return None if places is None else Asset(code, places, "money", Text(code, code), SYMBOLS.get(code, ""))
