"""Languages as people name them (de, de-AT, ger, deu) and as containers store them (ISO 639-2/T, with a title).

Codes and names: ISO 639-1 and 639-2, as the Library of Congress, the registration authority, publishes them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from foley.errors import OptionError

NO_SPEECH = "zxx"
"""ISO 639-2: no linguistic content; what an M&E is."""

UNKNOWN = "und"


class Language(NamedTuple):
    """A language as a container stores it."""

    code: str
    """ISO 639-2/T."""
    title: str


_NAMED = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")
"""A tag of BCP 47 as far as dubs need it: language, script, region."""

_TABLE = """\
aa aar Afar;ab abk Abkhazian;ae ave Avestan;af afr Afrikaans;ak aka Akan;am amh Amharic;an arg Aragonese;ar ara Arabic;
as asm Assamese;av ava Avaric;ay aym Aymara;az aze Azerbaijani;ba bak Bashkir;be bel Belarusian;bg bul Bulgarian;
bi bis Bislama;bm bam Bambara;bn ben Bengali;bo bod/tib Tibetan;br bre Breton;bs bos Bosnian;ca cat Catalan;
ce che Chechen;ch cha Chamorro;co cos Corsican;cr cre Cree;cs ces/cze Czech;cu chu Church Slavic;cv chv Chuvash;
cy cym/wel Welsh;da dan Danish;de deu/ger German;dv div Divehi;dz dzo Dzongkha;ee ewe Ewe;el ell/gre Greek;
en eng English;eo epo Esperanto;es spa Spanish;et est Estonian;eu eus/baq Basque;fa fas/per Persian;ff ful Fulah;
fi fin Finnish;fj fij Fijian;fo fao Faroese;fr fra/fre French;fy fry Western Frisian;ga gle Irish;
gd gla Scottish Gaelic;gl glg Galician;gn grn Guarani;gu guj Gujarati;gv glv Manx;ha hau Hausa;he heb Hebrew;
hi hin Hindi;ho hmo Hiri Motu;hr hrv Croatian;ht hat Haitian;hu hun Hungarian;hy hye/arm Armenian;hz her Herero;
ia ina Interlingua;id ind Indonesian;ie ile Interlingue;ig ibo Igbo;ii iii Sichuan Yi;ik ipk Inupiaq;io ido Ido;
is isl/ice Icelandic;it ita Italian;iu iku Inuktitut;ja jpn Japanese;jv jav Javanese;ka kat/geo Georgian;kg kon Kongo;
ki kik Kikuyu;kj kua Kuanyama;kk kaz Kazakh;kl kal Greenlandic;km khm Khmer;kn kan Kannada;ko kor Korean;
kr kau Kanuri;ks kas Kashmiri;ku kur Kurdish;kv kom Komi;kw cor Cornish;ky kir Kyrgyz;la lat Latin;
lb ltz Luxembourgish;lg lug Ganda;li lim Limburgish;ln lin Lingala;lo lao Lao;lt lit Lithuanian;lu lub Luba-Katanga;
lv lav Latvian;mg mlg Malagasy;mh mah Marshallese;mi mri/mao Maori;mk mkd/mac Macedonian;ml mal Malayalam;
mn mon Mongolian;mr mar Marathi;ms msa/may Malay;mt mlt Maltese;my mya/bur Burmese;na nau Nauru;
nb nob Norwegian Bokmål;nd nde North Ndebele;ne nep Nepali;ng ndo Ndonga;nl nld/dut Dutch;nn nno Norwegian Nynorsk;
no nor Norwegian;nr nbl South Ndebele;nv nav Navajo;ny nya Chichewa;oc oci Occitan;oj oji Ojibwa;om orm Oromo;
or ori Oriya;os oss Ossetian;pa pan Punjabi;pi pli Pali;pl pol Polish;ps pus Pashto;pt por Portuguese;qu que Quechua;
rm roh Romansh;rn run Rundi;ro ron/rum Romanian;ru rus Russian;rw kin Kinyarwanda;sa san Sanskrit;sc srd Sardinian;
sd snd Sindhi;se sme Northern Sami;sg sag Sango;si sin Sinhala;sk slk/slo Slovak;sl slv Slovenian;sm smo Samoan;
sn sna Shona;so som Somali;sq sqi/alb Albanian;sr srp Serbian;ss ssw Swati;st sot Southern Sotho;su sun Sundanese;
sv swe Swedish;sw swa Swahili;ta tam Tamil;te tel Telugu;tg tgk Tajik;th tha Thai;ti tir Tigrinya;tk tuk Turkmen;
tl tgl Tagalog;tn tsn Tswana;to ton Tongan;tr tur Turkish;ts tso Tsonga;tt tat Tatar;tw twi Twi;ty tah Tahitian;
ug uig Uyghur;uk ukr Ukrainian;ur urd Urdu;uz uzb Uzbek;ve ven Venda;vi vie Vietnamese;vo vol Volapük;wa wln Walloon;
wo wol Wolof;xh xho Xhosa;yi yid Yiddish;yo yor Yoruba;za zha Zhuang;zh zho/chi Chinese;zu zul Zulu"""


def language(named: str) -> Language:
    """Return the language that a tag names: two letters, three of either kind, or either with script and region.

    A code of three letters that is not in the table is taken as it is: ISO 639-2 has more than have two letters.

    >>> language("de"), language("ger").code, language("pt-BR").title
    (Language(code='deu', title='German'), 'deu', 'Portuguese (BR)')

    Raises:
        OptionError: where it is no tag of a language.
    """
    found = _NAMED.fullmatch(named.strip())
    if found is None:
        raise OptionError(f"{named!r} is no language", hint="name it by a code, as de, deu or pt-BR")
    code, script, region = found.groups()
    known = _languages().get(code.lower())
    if known is None and len(code) == 2:
        raise OptionError(f"ISO 639-1 has no language {code!r}", hint="name it by its three letters (ISO 639-2)")
    plain = known or Language(code.lower(), code.lower())
    more = ", ".join(part for part in (script and script.title(), region and region.upper()) if part)
    return Language(plain.code, f"{plain.title} ({more})" if more else plain.title)


def same(one: str, other: str) -> bool:
    """Return whether two codes mean one language: Matroska keeps "ger" where "deu" was asked for."""
    known = _languages()
    return known.get(one, Language(one, one)).code == known.get(other, Language(other, other)).code


@cache
def _languages() -> dict[str, Language]:
    """Return all languages of the table by each of their codes."""
    found: dict[str, Language] = {}
    for row in _TABLE.replace("\n", "").split(";"):
        short, codes, title = row.split(" ", 2)
        terms = codes.split("/")
        for code in (short, *terms):
            found[code] = Language(terms[0], title)
    return found
