"""What holds for all tests of the command line."""

from scenario import hear_interrupts

hear_interrupts()
