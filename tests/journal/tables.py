"""A small school as the office exports it."""

from pathlib import Path

PUPILS = {"p-1": ("Иванова", "Мария"), "p-2": ("Петров", "Иван")}
SCHOOL = {
    "site.toml": 'name = "Школа 1"\nlanguage = "ru"\nzone = "Europe/Moscow"\n',
    "people.csv": "id;last_name;first_name;class\np-1;Иванова;Мария;5А\np-2;Петров;Иван;5А\n",
    "contacts.csv": "person;address\np-1;mother@families.example\n",
    "cards.csv": "technology;uid;person\nem4100;55007EE424;p-1\n14443a;04DE5F1EACC040;p-2\n",
    "classes.csv": "class;grade;shift;bells\n5А;5;1;normal\n",
    "bells.csv": "bells;shift;lesson;start;end\nnormal;1;1;08:30;09:15\nnormal;1;2;09:25;10:10\n",
    "lessons.csv": "class;weekday;lesson;subject\n"
    + "".join(f"5А;{day};{n};\n" for day in range(1, 6) for n in (1, 2)),
    "lanes.csv": "gateway;lane;direction;opens;closes\ndoor-1;north;arrival_only;07:00;20:00\n",
}


def write_school(folder: Path, **changed: str) -> Path:
    """`cards="..."` replaces cards.csv."""
    folder.mkdir(exist_ok=True)
    for name, text in SCHOOL.items():
        (folder / name).write_text(changed.get(name.partition(".")[0], text), encoding="utf-8")
    return folder
