//! The outside world on loopback: Stripe, the simulated gateway and Cleeng as stateful servers with fault knobs.
