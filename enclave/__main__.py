"""`python -m enclave`: the enclave as a local process."""

from enclave.broker import main

if __name__ == "__main__":
    main()
