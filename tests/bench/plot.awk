# A picture (SVG): a line for each problem, a dot for each contender on a logarithmic scale of times, in units of the
# naive value's. Full dots: with the derivative; rings: the value alone.
function x(times) {
    return 250 + 620 * (log(times) / log(10) + 3.5) / 6
}
function text(at_x, at_y, anchor, what) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, what
}
function dots(s, y, who, c, what, t) {
    for (what = 0; what < 2; what++) {
        t = us[s, who, what ? "derived" : "value"]
        if (t == "" || !unit[s]) continue
        used[who] = 1
        printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"4\" stroke=\"%s\" fill=\"%s\"><title>%s, %s: %.3f</title></circle>\n", \
            x(t / unit[s]), y, c, what ? c : "none", who, what ? "with derivative" : "value", t / unit[s]
    }
}
END {
    n = split("adolc pytorch openblas hand hand-clang clang-O3-baseline gcc-O3-baseline clang-O2 clang-O3 gcc-O2 gcc-O3", known, " ")
    split("#000000 #5dade2 #2471a3 #1e8449 #82c596 #b2babb #7f8c8d #d98cb3 #8e44ad #e67e22 #c0392b", colour, " ")
    height = 60 + 22 * sizes
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", height + 50
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    for (power = -3; power <= 2; power++) {
        printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"30\" y2=\"%d\" stroke=\"%s\"/>\n", x(10 ^ power), x(10 ^ power), height - 20, power ? "#dddddd" : "#888888"
        text(x(10 ^ power), 22, "middle", 10 ^ power)
    }
    for (k = 1; k <= sizes; k++) {
        s = size[k]
        y = 24 + 22 * k
        split(s, f, FS)
        text(240, y + 4, "end", f[1] ", " f[2])
        printf "<line x1=\"250\" x2=\"870\" y1=\"%d\" y2=\"%d\" stroke=\"#eeeeee\"/>\n", y, y
        for (i = 1; i <= n; i++) dots(s, y, known[i], colour[i])
    }
    at = 20
    for (i = n; i >= 1; i--) {
        if (!(known[i] in used)) continue
        printf "<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"%s\"/>\n", at, height + 2, colour[i]
        text(at + 8, height + 6, "start", known[i])
        at += 22 + 6.5 * length(known[i])
    }
    text(20, height + 30, "start", "times in units of the naive value; full: with the derivative, ring: the value alone")
    print "</svg>"
}
