#define VALUE_ALONE
static void give_all(void) {
    GIVE_REALS("theta", theta, n_theta);
}
