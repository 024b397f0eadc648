/* team: what gcc's -fopenmp asks of its library, with threads that are made and joined for each
 * loop, so that the thread sanitizer knows all of what orders them. (It does not see into libgomp.)
 * TEAM says how many threads there are. */
#include <pthread.h>
#include <stdlib.h>

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
int omp_in_parallel(void);
void omp_set_num_threads(int n);

enum { MOST = 16 };
static __thread int number, inside;
static int team = 3;

typedef struct Member {
    void (*body)(void *);
    void *data;
    int number;
} Member;

int omp_get_thread_num(void) {
    return number;
}

int omp_get_num_threads(void) {
    return inside ? inside : 1;
}

int omp_get_max_threads(void) {
    return team;
}

int omp_in_parallel(void) {
    return inside > 1;
}

void omp_set_num_threads(int n) {
    team = n < 1 ? 1 : n < MOST ? n : MOST;
}

static void *run(void *at) {
    const Member *m = at;
    number = m->number, inside = team;
    m->body(m->data);
    return NULL;
}

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
    pthread_t made[MOST];
    Member member[MOST];
    int n = threads == 1 || inside ? 1 : team;
    (void)flags;
    for (int k = 0; k < n; k++) {
        member[k] = (Member){body, data, k};
        if (k > 0 && pthread_create(&made[k], NULL, run, &member[k])) {
            abort();
        }
    }
    int before = inside;
    inside = n;
    body(data);
    inside = before;
    for (int k = 1; k < n; k++) {
        pthread_join(made[k], NULL);
    }
}
