// Source of every link probe: the room itself is what gets linked.
int main() { return 0; }
