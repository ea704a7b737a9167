"""scripts/bench: Loggia beside floors and peers. docs/performance.md says how, and why so."""
