"""Write the files of three made-up labs: `python docs/three_labs.py FOLDER` (SIMULATED, with faults of every kind)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.exchange.made import german, redcap, spss

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(german(folder / "studie.csv"))
    print(redcap(folder / "records.csv", folder / "dictionary.csv"))
    print(spss(folder / "wide.sav"))
