"""Files of tables as text: packed or not, in a workbook or not. Bytes in, text out."""
