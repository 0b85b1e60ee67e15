"""Messages to people: the inbox and mail (`inbox`), and text messages (`telephone`)."""
