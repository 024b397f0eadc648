# A model of n equations of some form: awk -v form=chain -v n=1000 -f scale.awk. All have a gradient but `value`.
#   chain       each number from the one before
#   dag         from two before it, at random              conditions  a choice in each
#   tree        one expression, of so many nodes           calls       a call of a function in each
#   arrays      along an open axis    small  of 4 entries  vector      each with entries of its own of a parameter
#   scalars     each with a parameter of its own           entries     one array, given entry by entry
#   scaled      products by numbers                        value       chain, without a gradient
BEGIN {
 print "model m {"
 if (form == "chain") {
   print "  param real a, b;"
   print "  v0 = a * b;"
   for (k = 1; k <= n; k++) printf "  v%d = sin(v%d) * a + b;\n", k, k-1
   printf "  y = v%d;\n  output y;\n  derive gradient(y; a, b);\n", n
 } else if (form == "dag") {
   print "  param real p[16];"
   for (k = 0; k < 16; k++) printf "  v%d = p[%d];\n", k, k
   s = 12345
   for (k = 16; k < n; k++) {
     s = (s * 1103 + 12345) % 1048573; i = k - 1 - s % (k < 1000 ? k : 1000)
     s = (s * 1103 + 12345) % 1048573; j = s % k
     printf "  v%d = v%d * v%d + %d.5;\n", k, i, j, k % 7
   }
   printf "  y = v%d;\n  output y;\n  derive gradient(y; p);\n", n-1
 } else if (form == "sum") {
   print "  param real a, b;"
   printf "  y = 0"
   for (k = 1; k <= n; k++) { printf " + sin(a * %d) * b", k; if (k % 8 == 0) printf "\n   " }
   printf ";\n  output y;\n  derive gradient(y; a, b);\n"
 } else if (form == "tree") {
   print "  param real a, b;"
   d = 1; while (2 ^ d < n) d++
   printf "  y = "; tree(d); printf ";\n  output y;\n  derive gradient(y; a, b);\n"
 } else if (form == "arrays") {
   print "  dim N;\n  input real x[N];\n  param real w[N];"
   print "  v0[i] = x[i] * w[i];"
   for (k = 1; k <= n; k++) printf "  v%d[i] = sin(v%d[i]) * w[i];\n", k, k-1
   printf "  y = sum[i](v%d[i]);\n  output y;\n  derive gradient(y; w);\n", n
 } else if (form == "small") {
   print "  input real x[4];\n  param real w[4];"
   print "  v0[i] = x[i] * w[i];"
   for (k = 1; k <= n; k++) printf "  v%d[i] = tanh(sum[j](v%d[j] * w[j]) + w[i]);\n", k, k-1
   printf "  y = sum[i](v%d[i]);\n  output y;\n  derive gradient(y; w);\n", n
 } else if (form == "wide") {
   print "  param real p[16];"
   for (k = 0; k < n; k++) printf "  v%d = tanh(p[%d] * %d + p[%d]);\n", k, k % 16, k, (k * 7 + 3) % 16
   printf "  y = v0"
   for (k = 1; k < n; k++) { printf " + v%d", k; if (k % 8 == 0) printf "\n   " }
   printf ";\n  output y;\n  derive gradient(y; p);\n"
 } else if (form == "vector") {
   printf "  input real x[%d];\n  param real p[%d];\n  v0 = p[0];\n", n + 1, n + 1
   for (k = 1; k <= n; k++) printf "  v%d = tanh(v%d * p[%d] + x[%d]);\n", k, k-1, k, k
   printf "  y = v%d;\n  output y;\n  derive gradient(y; p);\n", n
 } else if (form == "scalars") {
   printf "  param real p0"; for (k = 1; k <= n; k++) printf "%sp%d", k % 16 ? ", " : ",\n     ", k
   printf ";\n  v0 = p0;\n"
   for (k = 1; k <= n; k++) printf "  v%d = tanh(v%d * p%d);\n", k, k-1, k
   printf "  y = v%d;\n  output y;\n  derive gradient(y; p0", n
   for (k = 1; k <= n; k++) printf "%sp%d", k % 16 ? ", " : ",\n     ", k
   printf ");\n"
 } else if (form == "entries") {
   printf "  input real x;\n  real z[%d];\n  param real a;\n  z[0] = x;\n", n + 1
   for (k = 1; k <= n; k++) printf "  z[%d] = sin(z[%d] * a + %d);\n", k, k-1, k
   printf "  y = z[%d];\n  output y;\n  derive gradient(y; a);\n", n
 } else if (form == "value") {
   print "  param real a, b;"
   print "  v0 = a * b;"
   for (k = 1; k <= n; k++) printf "  v%d = sin(v%d) * a + b;\n", k, k-1
   printf "  y = v%d;\n  output y;\n", n
 } else if (form == "scaled") {
   print "  param real a, b;"
   print "  v0 = a * b;"
   for (k = 1; k <= n; k++) printf "  v%d = %d.5 * v%d;\n", k, k % 3 + 1, k-1
   printf "  y = v%d;\n  output y;\n  derive gradient(y; a);\n", n
 } else if (form == "conditions") {
   print "  param real a, b;"
   print "  v0 = a * b;"
   for (k = 1; k <= n; k++) printf "  v%d = v%d > %d ? sqrt(v%d) * a : b - v%d;\n", k, k-1, k % 5, k-1, k-1
   printf "  y = v%d;\n  output y;\n  derive gradient(y; a, b);\n", n
 } else if (form == "calls") {
   print "  param real a, b, w[3];"
   print "  v0 = a * b;"
   for (k = 1; k <= n; k++) printf "  v%d = f(v%d, w) + a;\n", k, k-1
   printf "  y = v%d;\n  output y;\n  derive gradient(y; a, b, w);\n", n
 }
 print "}"
 if (form == "calls") print "fn f(real u, real w[3]) -> real r { s[i] = tanh(u * w[i]); r = sum[i](s[i] * w[i]); }"
}
function tree(d) { if (d == 0) { k++; printf "%s", (k % 2 ? "a" : "b") ; return }
  printf "%s(", (d % 2 ? "sin" : "cos"); tree(d-1); printf (d % 3 ? " + " : " * "); printf "%d * ", ++c; tree(d-1); printf ")" ; if (d == 4) printf "\n" }
