"""`python -m noisystudent`, the same as the command `noisystudent`."""

from noisystudent.cli import main

if __name__ == "__main__":
    main()
