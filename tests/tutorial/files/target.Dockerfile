FROM python:3.11-slim

RUN pip install psycopg2-binary

COPY create_table.py /usr/app/create_table.py
CMD ["python", "/usr/app/create_table.py"]
