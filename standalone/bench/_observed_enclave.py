"""A demo's enclave whose session processes may be looked at, so that a bench can read their memory."""

from standalone.demo_enclave import run

if __name__ == "__main__":
    run(observed=True)
