# The tables of docs/performance.md: what gradc emits, built by gcc -O3 -march=native, beside the best of what is
# written by hand and the best other tool; and by other compilers and options.
function best(s, list, what, n, i, names) { # of the contenders named in list
    least = ""
    n = split(list, names, " ")
    for (i = 1; i <= n; i++) {
        if (us[s, names[i], what] != "" && (least == "" || us[s, names[i], what] < least)) {
            least = us[s, names[i], what]
            winner = names[i]
        }
    }
    return least
}
function tool(s, what, t) {
    t = best(s, "openblas pytorch adolc", what)
    return t == "" ? "" : ratio(t, unit[s]) " " winner
}
END {
    ours = "gcc-O3"
    print "| problem | size | naive value, us | gradc: value | gradc: with derivative | by hand: value | by hand: with derivative | other tool: value | other tool: with derivative | spread | of peak | of memory |"
    print "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (k = 1; k <= sizes; k++) {
        s = size[k]
        split(s, f, FS)
        what = us[s, ours, "derived"] != "" ? "derived" : "value"
        printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", f[1], f[2], time_of(unit[s]), \
            ratio(us[s, ours, "value"], unit[s]), ratio(us[s, ours, "derived"], unit[s]), \
            ratio(best(s, "hand hand-clang", "value"), unit[s]), ratio(best(s, "hand hand-clang", "derived"), unit[s]), \
            tool(s, "value"), tool(s, "derived"), percent(spread[s, ours, what]), \
            share(s, ours, what, "operations"), share(s, ours, what, "bytes")
    }
    print "\nGeometric means, " means(ours) "."
    print "\nLines of emitted C: " emitted "."
    if (machine() != "") print "\nThe machine: " machine() "."
    n = split("gcc-O2 clang-O3 clang-O2 gcc-O3-baseline clang-O3-baseline", wanted, " ")
    for (i = 1; i <= n; i++) if (wanted[i] in anywhere) others[++present] = wanted[i]
    if (!present) exit
    print "\nThe same C by other compilers and options, in units of gcc -O3 -march=native (baseline: x86-64 without options, SSE2):\n"
    printf "| problem | size | gcc-O3, us |"
    for (i = 1; i <= present; i++) printf " %s |", others[i]
    printf "\n|---|---|--:|"
    for (i = 1; i <= present; i++) printf "--:|"
    printf "\n"
    for (k = 1; k <= sizes; k++) {
        s = size[k]
        split(s, f, FS)
        what = us[s, ours, "derived"] != "" ? "derived" : "value"
        printf "| %s | %s | %s |", f[1], f[2], time_of(us[s, ours, what])
        for (i = 1; i <= present; i++) {
            if (us[s, others[i], what] != "" && us[s, ours, what]) printf " %.2f |", us[s, others[i], what] / us[s, ours, what]
            else printf " |"
        }
        printf "\n"
    }
}
