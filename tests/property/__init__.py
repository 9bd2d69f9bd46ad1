"""Laws, with inputs that hypothesis makes."""
