# All that was measured, as a table of text: a line for each contender.
function line(a, b, c, d, e, f, g, h, i, j) {
    printf "%-12s %-23s %-18s %10s %8s %10s %8s %7s %7s %7s\n", a, b, c, d, e, f, g, h, i, j
}
END {
    line("problem", "size", "by", "value, us", "ratio", "with, us", "ratio", "spread", "peak", "memory")
    for (k = 1; k <= sizes; k++) {
        s = size[k]
        split(s, f, FS)
        for (i = 1; i <= labels[s]; i++) {
            who = label[s, i]
            v = us[s, who, "value"]
            w = us[s, who, "derived"]
            what = w != "" ? "derived" : "value"
            line(f[1], f[2], who, time_of(v), ratio(v, unit[s]), time_of(w), ratio(w, unit[s]), percent(spread[s, who, what]), \
                share(s, who, what, "operations"), share(s, who, what, "bytes"))
            if (!(who in seen) && who != "naive") {
                seen[who] = 1
                all[++n] = who
            }
        }
    }
    print ""
    for (i = 1; i <= n; i++) if (means(all[i]) != "") print means(all[i])
    if (emitted != "") print "\nlines of emitted C: " emitted
    if (machine() != "") print "\n" machine()
}
