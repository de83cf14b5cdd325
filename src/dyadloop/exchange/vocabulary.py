"""Words of headings and entries, in English and German, from which a mapping is guessed; each guess says its reason."""

import re

ROLES = {
    "patient": "patient", "pat": "patient", "pt": "patient", "p": "patient", "klient": "patient", "klientin": "patient",
    "client": "patient", "patientin": "patient", "k": "patient", "therapist": "therapist", "therapeut": "therapist",
    "therapeutin": "therapist", "th": "therapist", "t": "therapist", "ther": "therapist", "counselor": "therapist",
    "counsellor": "therapist", "behandler": "therapist", "partner": "partner", "partnerin": "partner", "peer": "peer",
    "spouse": "partner", "husband": "partner", "wife": "partner",
}  # fmt: skip
"""Entries that name a role, compared without case."""

KEYS: dict[str, tuple[tuple[str, int], ...]] = {
    "dyad": (
        (r"dyad(e|en)?([ _.-]*(id|nr|no|code|number|nummer))?", 100),
        (r"(couple|paar|pair)([ _.-]*(id|nr|no|code|number|nummer))?", 95),
        (r"(case|fall)([ _.-]*(id|nr|no|code|number|nummer))?", 90), (r"record[ _.-]*id", 88),
        (r"(patient|pat|pt|client|klient(in)?)(en)?([ _.-]*(id|nr|no|code|number|nummer|chiffre|kürzel))?", 85),
        (r"(participant|subject|subj|proband|teilnehmer|person|pseudonym|vp|vpn|tn|respondent)"
         r"([ _.-]*(id|nr|no|code|number|nummer|label|identifier))?", 80),
        (r"(connection|user|alias|chiffre|code|kennung|studien[ _]?code|id|nr|studyid|study[ _.-]id|fid)", 60),
    ),
    "person": ((r"(person|participant|member|partner|rater)[ _.-]*(id|nr|no|code)?", 90),),
    "role": ((r"(role|rolle|rater|perspective|perspektive|beurteiler|rated[ _.-]?by|informant|who)", 90),),
    "therapist": (
        (r"(therapist|therapeut(in)?|behandler(in)?|ther|th)[ _.-]*(id|nr|no|code|nummer|name|kürzel|chiffre)?", 90),
    ),
    "session": (
        (r"(session|sitzung|sitzungs)[ _.-]*(nr|no|num|number|nummer|id)?\.?", 100),
        (r"redcap_repeat_instance", 97), (r"redcap_event_name|event[ _.-]name", 92),
        (r"(therapie)?(stunde|termin|treffen)[ _.-]*(nr|no|nummer)?\.?", 90),
        (r"(mzp|messzeitpunkt|zeitpunkt|wave|welle|visit|visite|occasion|measurement|assessment)"
         r"[ _.-]*(nr|no|number|nummer)?", 85),
        (r"(beep|prompt|notification|obs|observation|survey)[ _.-]*(nr|no|num|number|count|index)", 80),
        (r"(week|woche)[ _.-]*(nr|no|number)?", 60), (r"t|time|zeit|nr|no", 20),
    ),
    "date": (
        (r"(session|sitzungs?|termin|therapie)[ _.-]*(date|datum)|(date|datum)[ _.-]*(of[ _.-])?(the[ _.-])?"
         r"(session|sitzung)|date_session|datum_sitzung", 100),
        (r"(date|datum|tag|day|start|starttime|start[ _.-]?(time|date)|timestamp|datetime|zeitstempel)", 80),
        (r".*(date|datum|timestamp|time|zeit|start).*", 40),
    ),
    "clock": ((r"(uhrzeit|time|zeit|start[ _.-]?time|beginn|clock|hour|begin)", 80),),
    "length": (
        (r"((session|sitzungs?|stunden)[ _.-]*)?(dauer|duration|length|laenge|länge)"
         r"([ _.-]*(in[ _.-])?\(?(in[ _.-])?(min|minuten|minutes)\.?\)?)?", 90),
        (r"length_min|duration_min|min(uten|utes)?", 80),
    ),
    "day": (
        (r"(day|tag|study[ _.-]?day)([ _.-]*(nr|no|number))?", 80),
        (r"(days|tage)[ _.-]*(since|seit|after|nach)\b.*", 80),
    ),
}  # fmt: skip
"""Headings of keys with their rank; the whole heading must fit."""

QUANTITIES: tuple[tuple[str, str, str], ...] = (
    (r"oxyt|(^|[^a-z])oxt?([^a-z]|$)", "oxytocin", "its name"),
    (r"phq|bdi|ces_?d|hamd|ham_d|depress|mdi|qids|promis_dep|ads([^a-z]|$)", "depression", "a scale of depression"),
    (
        r"gad|angst|anx|stai|bai|fear|furcht|phob|oasis",
        "fear",
        "a scale of anxiety; the theory's nearest quantity is fear",
    ),
    (r"pss|stress|anspannung|tension", "stress", "a scale of stress"),
    (
        r"bond|(wai|alliance|allianz).*(task|goal|aufgabe|ziel)",
        "trust",
        "a subscale of the alliance; the theory's nearest component is trust and cooperation",
    ),
    (
        r"wai|haq|hag|srs|alliance|allianz|bündnis|buendnis|stb|helping|working_?all",
        "alliance",
        "a scale of the alliance as a whole",
    ),
    (r"trust|vertrau", "trust", "its name"),
    (r"empath|einfühl|einfuehl|verständ|verstaend|understood", "empathy", "its name"),
    (r"ecr|attach|bindung|cats|secur|sicher", "attachment", "its name"),
    (r"support|unterstütz|unterstuetz|mspss|encourag|hilf|helpful", "support", "its name"),
    (r"synchron|sync([^a-z]|$)|mea_|(^|_)wclc", "synchrony", "its name"),
)
"""Parts of headings and labels that tell a quantity: pattern, quantity, reason."""

PERSONS: tuple[tuple[str, str], ...] = (
    (r"(^|[_. -])((t|th)([_. -]|$)|(ther|therap|therapist|therapeut|therapeutin)([_. -]|\d*$))", "therapist"),
    (r"(^|[_. -])(p|pt|pat|patient|patientin|client|klient|k)([_. -]|\d*$)", "patient"),
    (r"(^|[_. -])(partner|spouse)([_. -]|\d*$)", "partner"),
)
"""Parts of headings that tell who answers."""

IDENTIFYING = re.compile(
    r".*(geburt|birth|dob|vorname|nachname|surname|firstname|first_name|last_name|lastname|email|e-mail|mail|telefon|phone|"
    r"adress|address|strasse|straße|street|postal|plz|ip_?addr|ipaddress|latitude|longitude).*|name",
    re.IGNORECASE,
)
"""Headings of what may tell who somebody is: left out."""

NOTES = re.compile(
    r".*(bemerkung|anmerkung|notiz|kommentar|freitext|sonstiges|remark|comment|note|free.?text|memo)"
    r"(en|s)?([ _.-]?\d+)?",
    re.IGNORECASE,
)
"""Headings of what people write in their own words: left out where it is no number."""

TECHNICAL = re.compile(
    r".*(_complete|_timestamp|duration.*seconds|responseid|recorded_?date|start_?date|end_?date|progress|finished|status|"
    r"distribution.?channel|user.?language|external.?reference|survey_identifier|startlanguage|submitdate|lastpage|token|"
    r"ipaddr|refurl|datestamp|seed|_rt|reaction.?time|upload|battery|device|version|app).*",
    re.IGNORECASE,
)
"""Headings of what survey programs add."""

_WORDS = (
    "session", "sitzung", "stunde", "termin", "wave", "welle", "week", "woche", "visit", "visite", "time", "zeitpunkt",
    "mzp",
)  # fmt: skip
_MARKS = ("t", "s", "w", *(f"{word}{gap}" for word in _WORDS for gap in ("", "_", " ")))
SESSION_PATTERNS = (
    *(f"{{name}}{sep}{mark}{{session}}" for mark in _MARKS for sep in "_. -"),
    *(f"{mark}{{session}}{sep}{{name}}" for mark in _MARKS for sep in "_. -"),
    "{name}_{session}",
    "{name}.{session}",
    "{name} {session}",
    "{name}{session}",
)
"""Forms of headings that hold one session each, those that say so first."""


def rank(heading: str, key: str) -> int:
    """Return how well a heading names a key, 0 where it does not."""
    bare = heading.strip().casefold()
    return max((points for pattern, points in KEYS[key] if re.fullmatch(pattern, bare)), default=0)


def quantity_of(text: str) -> tuple[str, str] | None:
    """Return the quantity that a heading or label tells, and why."""
    bare = text.casefold()
    return next(((name, why) for pattern, name, why in QUANTITIES if re.search(pattern, bare)), None)


def without_person(heading: str) -> str:
    """Return a heading without the word that tells who answers, such as the name of a questionnaire."""
    for pattern, _ in PERSONS:
        if match := re.search(pattern, heading.casefold()):
            return f"{heading[: match.start()]} {heading[match.end() :]}".strip()
    return heading


_ROLE_WORDS = re.compile(
    r"((?:[\w']+\s+)?)\b(therapist|therapeut(?:in|en|innen)?|patient(?:in|en|innen)?|client|klient(?:in|en)?)\b(?!')",
    re.IGNORECASE,
)
_SPOKEN_OF = re.compile(
    r"(my|your|his|her|their|our|with|to|from|of|about|and|for|über|mein\w*|ihr\w*|dein\w*|sein\w*|unser\w*|mit|zu|zum|zur|und|für)"
    r"|(the|a|der|die|dem|den|des|eine?m?)",
    re.IGNORECASE,
)
_RATED_BY = re.compile(r"\b(by|von|durch)\s+(the|der|dem|den)?\s*$", re.IGNORECASE)


def person_of_label(label: str) -> str | None:
    """Return the role that a label names as who answers, None where it names none, both, or one that is spoken of.

    "Alliance, therapist" and "rated by the therapist" tell it; "my therapist and I trust each other" does not.
    """
    told = [
        (match, "therapist" if match[2].casefold()[0] == "t" else "patient") for match in _ROLE_WORDS.finditer(label)
    ]
    rating = {role for match, role in told if _RATED_BY.search(label[: match.start(2)])}
    spoken = any(_SPOKEN_OF.fullmatch(match[1].strip()) for match, _ in told)
    found = rating or (set() if spoken else {role for _, role in told})
    return found.pop() if len(found) == 1 else None


def person_of_place(sheet: str, file: str) -> str | None:
    """Return the role that the name of a sheet, else of its file, tells.

    A word tells it, and a letter at the end such as in wai_t; a letter with a number, such as T2, is a time, and a file
    named t is just short.
    """
    bare = file.rsplit(".", 1)[0].casefold()
    for name, alone in ((sheet.casefold(), True), (bare, False)):
        told = {ROLES[word] for word in re.split(r"[\W_\d]+", name) if len(word) > 2 and word in ROLES}
        if len(told) == 1:
            return told.pop()
        letter = re.fullmatch(r"(?P<before>.*[\W_])?(?P<letter>t|th|p|pt|k)", name)
        if letter and not told and (alone or letter["before"]):
            return ROLES[letter["letter"]]
    return None


def person_of(heading: str) -> str | None:
    """Return the role that a heading tells."""
    return next((role for pattern, role in PERSONS if re.search(pattern, heading.casefold())), None)
