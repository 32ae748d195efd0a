"""What people say: a small grammar a language, so that no two recordings share their words."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Language:
    """How a language is spoken here.

    espeak_voice: its name for espeak-ng; voice_file and dictionary: its files in espeak-ng's data.
    slots: a sentence takes one phrase from each slot, in order.
    """

    espeak_voice: str
    voice_file: str
    dictionary: str
    slots: tuple[tuple[str, ...], ...]


_SECONDS_A_SLOT = 1.0  # at least: the fastest speaker


def compose_sentence(language: str, stream: np.random.Generator, seconds: float | None = None) -> str:
    """A random sentence of `language`; only its end when it need not last longer than `seconds`."""
    slots = LANGUAGES[language].slots
    if seconds is not None:
        slots = slots[-max(1, math.ceil(seconds / _SECONDS_A_SLOT)) :]
    sentence = " ".join(phrases[stream.integers(len(phrases))] for phrases in slots)
    return sentence.replace(" ,", ",").removeprefix(", ")


_ENGLISH = (
    (
        "Yesterday",
        "This morning",
        "Last week",
        "In the summer",
        "After the meeting",
        "To be honest",
        "As you know",
        "For many years",
        "On the other hand",
        "When I was young",
    ),
    (
        "my brother",
        "our teacher",
        "the minister",
        "a young doctor",
        "the whole team",
        "my old friend",
        "the audience",
        "this company",
        "the new captain",
        "her family",
    ),
    (
        "decided to visit",
        "was talking about",
        "wanted to understand",
        "quickly forgot",
        "explained",
        "could not believe",
        "carefully described",
        "is still looking for",
        "has always supported",
        "questioned",
    ),
    (
        "the small village near the river",
        "a very difficult problem",
        "the music of that film",
        "the price of fresh bread",
        "the final match",
        "a long and beautiful journey",
        "the history of our country",
        "those five broken chairs",
        "the weather in the mountains",
        "a question about education",
    ),
    (
        "because it was important for us.",
        "and everyone started to laugh.",
        "but nobody knew the answer.",
        "so we had to wait for an hour.",
        "which made me really happy.",
        "before the rain began.",
        "and I will never forget that day.",
        "although it cost a lot of money.",
    ),
)
_URDU = (
    (
        "کل شام",
        "آج صبح",
        "پچھلے ہفتے",
        "گرمیوں میں",
        "سچ پوچھیں تو",
        "میرے خیال میں",
        "کئی سالوں سے",
        "دوسری طرف",
        "جب میں چھوٹا تھا",
        "جلسے کے بعد",
    ),
    (
        "میرے بھائی نے",
        "ہمارے استاد نے",
        "وزیر نے",
        "ایک ڈاکٹر نے",
        "پوری ٹیم نے",
        "میرے پرانے دوست نے",
        "لوگوں نے",
        "اس کمپنی نے",
        "نئے کپتان نے",
        "اس کے خاندان نے",
    ),
    (
        "دریا کے قریب گاؤں کو",
        "ایک مشکل مسئلے کو",
        "اس فلم کی موسیقی کو",
        "تازہ روٹی کی قیمت کو",
        "آخری میچ کو",
        "ایک لمبے سفر کو",
        "اپنے ملک کی تاریخ کو",
        "پانچ ٹوٹی کرسیوں کو",
        "پہاڑوں کے موسم کو",
        "تعلیم کے سوال کو",
    ),
    (
        "بہت غور سے دیکھا",
        "سمجھنے کی کوشش کی",
        "ہمیشہ یاد رکھا",
        "جلدی سے بھلا دیا",
        "تفصیل سے بیان کیا",
        "دل سے پسند کیا",
    ),
    (
        "کیونکہ یہ ہمارے لیے ضروری تھا۔",
        "اور سب لوگ ہنسنے لگے۔",
        "لیکن کسی کو جواب معلوم نہیں تھا۔",
        "اس لیے ہمیں ایک گھنٹہ انتظار کرنا پڑا۔",
        "اور میں وہ دن کبھی نہیں بھولوں گا۔",
        "حالانکہ اس پر بہت پیسے خرچ ہوئے۔",
    ),
)
_HINDI = (
    (
        "कल शाम",
        "आज सुबह",
        "पिछले हफ़्ते",
        "गर्मियों में",
        "सच कहूँ तो",
        "मेरे विचार में",
        "कई सालों से",
        "दूसरी ओर",
        "जब मैं छोटा था",
        "बैठक के बाद",
    ),
    (
        "मेरे भाई ने",
        "हमारे अध्यापक ने",
        "मंत्री ने",
        "एक डॉक्टर ने",
        "पूरी टीम ने",
        "मेरे पुराने दोस्त ने",
        "दर्शकों ने",
        "इस कंपनी ने",
        "नए कप्तान ने",
        "उसके परिवार ने",
    ),
    (
        "नदी के पास वाले गाँव को",
        "एक कठिन समस्या को",
        "उस फ़िल्म के संगीत को",
        "ताज़ी रोटी के दाम को",
        "आख़िरी मैच को",
        "एक लंबी यात्रा को",
        "अपने देश के इतिहास को",
        "पाँच टूटी कुर्सियों को",
        "पहाड़ों के मौसम को",
        "शिक्षा के सवाल को",
    ),
    (
        "बहुत ध्यान से देखा",
        "समझने की कोशिश की",
        "हमेशा याद रखा",
        "जल्दी से भुला दिया",
        "विस्तार से समझाया",
        "दिल से पसंद किया",
    ),
    (
        "क्योंकि यह हमारे लिए ज़रूरी था।",
        "और सब लोग हँसने लगे।",
        "लेकिन किसी को जवाब मालूम नहीं था।",
        "इसलिए हमें एक घंटा इंतज़ार करना पड़ा।",
        "और मैं वह दिन कभी नहीं भूलूँगा।",
        "हालाँकि इस पर बहुत पैसा ख़र्च हुआ।",
    ),
)
_GERMAN = (
    (
        "Gestern Abend",
        "Heute Morgen",
        "Letzte Woche",
        "Im Sommer",
        "Nach der Sitzung",
        "Ehrlich gesagt",
        "Seit vielen Jahren",
        "Auf der anderen Seite",
        "Damals",
    ),
    (
        "wollte mein Bruder",
        "konnte unsere Lehrerin",
        "musste der Minister",
        "durfte eine junge Ärztin",
        "sollte die ganze Mannschaft",
        "wollte mein alter Freund",
        "konnte das Publikum",
    ),
    (
        "das kleine Dorf am Fluss",
        "ein sehr schwieriges Problem",
        "die Musik aus diesem Film",
        "den Preis für frisches Brot",
        "das letzte Spiel",
        "eine lange und schöne Reise",
        "die Geschichte unseres Landes",
        "fünf kaputte Stühle",
    ),
    ("besuchen", "verstehen", "beschreiben", "vergessen", "erklären", "unterstützen"),
    (
        ", weil es für uns wichtig war.",
        ", und alle fingen an zu lachen.",
        ", aber niemand kannte die Antwort.",
        ", also mussten wir eine Stunde warten.",
        ", obwohl es viel Geld gekostet hat.",
    ),
)

LANGUAGES = {
    "English": Language(espeak_voice="en-us", voice_file="gmw/en-US", dictionary="en_dict", slots=_ENGLISH),
    "Urdu": Language(espeak_voice="ur", voice_file="inc/ur", dictionary="ur_dict", slots=_URDU),
    "Hindi": Language(espeak_voice="hi", voice_file="inc/hi", dictionary="hi_dict", slots=_HINDI),
    "German": Language(espeak_voice="de", voice_file="gmw/de", dictionary="de_dict", slots=_GERMAN),
}
