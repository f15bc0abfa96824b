"""The counter that forgets: stop it at 5, start it again, and it is back at 1."""

import argparse
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between numbers (default: %(default)s)")
    interval = parser.parse_args().interval

    print("*** Counting to 10", flush=True)
    for number in range(1, 11):
        print(number, flush=True)
        time.sleep(interval)
    print("*** Counted to 10", flush=True)


if __name__ == "__main__":
    main()
