//! One address for every service: finds the context that a call is for and passes it through.
