static void give_all(void) {
    GIVE_INTEGERS("B", &B, 1);
    GIVE_REALS("theta", theta, n_theta);
    GIVE_REALS("x", x, B * D);
    GIVE_INTEGERS("y", y, B);
}
