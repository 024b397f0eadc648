# Turns table.tsv, what bench and peak printed, into a table: FORM=text or markdown. STATISTIC=5 takes medians, 8
# the least times.
BEGIN {
    FS = "\t"
    if (!STATISTIC) STATISTIC = 5
}
$1 == "machine" && $2 == "multiply-add" { peak[$3] = $4; next }
$1 == "machine" && $2 == "read" { kib[++levels] = $3; speed[levels] = $4; next }
{
    size = $1 FS $2
    row = size FS $3
    if (!(row in seen)) {
        seen[row] = 1
        order[++rows] = row
    }
    us[row FS $4] = $STATISTIC
    spread[row FS $4] = ($7 - $6) / $5
    operations[row FS $4] = $9
    bytes[row FS $4] = $10
    real[row] = $11
    if ($3 == "naive" && $4 == "value") unit[size] = $STATISTIC
}
# share of the machine's multiply-adds, or of what it reads from where so many bytes fit
function share(at, what, f) {
    if (!us[at] || !peak["double"] || !operations[at]) return ""
    if (what == "operations") f = operations[at] / us[at] / 1e3 / peak[real[row]]
    else {
        for (level = 1; level < levels && kib[level] * 1024 < bytes[at]; level++) continue
        f = bytes[at] / us[at] / 1e3 / speed[level]
    }
    return sprintf("%.0f %%", 100 * f)
}
function time_of(t) {
    return t == "" ? "" : sprintf(t < 1 ? "%.3f" : t < 100 ? "%.2f" : "%.0f", t)
}
function ratio(t, u) {
    return t == "" || !u ? "" : sprintf(t / u < 0.1 ? "%.4f" : "%.3f", t / u)
}
function cell(text, width, left) {
    return FORM == "markdown" ? " " text " |" : sprintf(left ? "%-" width "s " : "%" width "s ", text)
}
function line(a, b, c, d, e, f, g, h, i, j) {
    print (FORM == "markdown" ? "|" : "") cell(a, 12, 1) cell(b, 23, 1) cell(c, 18, 1) cell(d, 10) cell(e, 8) cell(f, 10) \
        cell(g, 8) cell(h, 7) cell(i, 7) cell(j, 7)
}
END {
    line("problem", "size", "by", "value, us", "ratio", "with, us", "ratio", "spread", "peak", "memory")
    if (FORM == "markdown") print "|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for (k = 1; k <= rows; k++) {
        row = order[k]
        split(row, f, FS)
        size = f[1] FS f[2]
        v = us[row FS "value"]
        w = us[row FS "derived"]
        at = row FS (w != "" ? "derived" : "value")
        line(f[1], f[2], f[3], time_of(v), ratio(v, unit[size]), time_of(w), ratio(w, unit[size]),
            sprintf("%.0f %%", 100 * spread[at]), share(at, "operations"), share(at, "bytes"))
        if (f[3] != "naive" && v != "" && unit[size]) {
            vs[f[3]] += log(v / unit[size])
            nv[f[3]]++
            if (w != "") { ws[f[3]] += log(w / v); nw[f[3]]++ }
            if (!(f[3] in known)) { known[f[3]] = 1; who[++labels] = f[3] }
        }
    }
    print ""
    for (k = 1; k <= labels; k++) {
        n = who[k]
        printf "%s%s: own value / naive value %.3f (%d rows)", FORM == "markdown" ? "- " : "", n, exp(vs[n] / nv[n]), nv[n]
        if (nw[n]) printf "; with derivative / own value %.2f (%d rows)", exp(ws[n] / nw[n]), nw[n]
        printf "\n"
    }
    if (peak["double"]) {
        printf "\nmultiply-adds: %.0f GF double, %.0f GF float; reading", peak["double"], peak["float"]
        for (level = 1; level <= levels; level++) printf "%s %.0f GB/s from %d KiB", (level > 1 ? "," : ""), speed[level], kib[level]
        printf "\n"
    }
}
